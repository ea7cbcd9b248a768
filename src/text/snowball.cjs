// CommonJS, and JavaScript: loads the library only when somebody stems, in both builds of the package. The build copies this
// file as it is.
'use strict';

module.exports = function snowball() {
  return require('snowball-stemmers');
};
